-- one row per side of a match
with sides_of_matches as (
    select home_team_id as team_id from {{ ref('stg_matches') }}
    union all
    select away_team_id as team_id from {{ ref('stg_matches') }}
),

-- one row per team, with a number in its place
teams as (
    {{ numbered_teams("sides_of_matches") }}
),

-- one row per league and season, likewise
league_seasons as (
    {{ numbered_league_seasons(ref('stg_matches')) }}
),

-- one row per match, with a number of its own
numbered as (
    select
        (row_number() over (order by match_id))::integer as line,
        *
    from {{ ref('stg_matches') }}
),

matches as (
    select
        numbered.*,
        league_seasons.league_season,
        home_teams.team as home,
        away_teams.team as away
    from numbered
    inner join league_seasons
        on numbered.league_id = league_seasons.league_id
        and numbered.season = league_seasons.season
    inner join teams as home_teams
        on numbered.home_team_id = home_teams.team_id
    inner join teams as away_teams
        on numbered.away_team_id = away_teams.team_id
),

-- one row per team and match
sides as (
    select
        line,
        true as is_home,
        home as team,
        league_season,
        kickoff_date,
        is_played
    from matches
    union all
    select
        line,
        false as is_home,
        away as team,
        league_season,
        kickoff_date,
        is_played
    from matches
),

-- one row per team and match, with what is known of the team on its day
known as (
    select
        line,
        is_home,
        team,
        kickoff_date - max(case when is_played then kickoff_date end) over earlier_days as rest_days,
        count(*) filter (where is_played) over earlier_days as matches_known,
        count(*) filter (where is_played) over earlier_days_of_season as season_matches_known
    from sides
    window
        earlier_days as (
            partition by team
            order by kickoff_date
            groups between unbounded preceding and 1 preceding
        ),
        earlier_days_of_season as (
            partition by team, league_season
            order by kickoff_date
            groups between unbounded preceding and 1 preceding
        )
),

-- one row per team and match: goals for and against
team_sides as (
    select
        matches.match_id,
        case when known.is_home then matches.home_team_id else matches.away_team_id end as team_id,
        case when known.is_home then matches.away_team_id else matches.home_team_id end as opponent_id,
        matches.league_id,
        matches.season,
        matches.kickoff_date,
        known.is_home,
        matches.is_played,
        matches.is_cup,
        case when known.is_home then matches.home_goals else matches.away_goals end as goals_for,
        case when known.is_home then matches.away_goals else matches.home_goals end as goals_against,
        known.rest_days,
        known.matches_known,
        known.season_matches_known,
        known.team
    from known
    inner join matches
        on known.line = matches.line
)

select
    match_id,
    team_id,
    opponent_id,
    league_id,
    season,
    kickoff_date,
    is_home,
    is_played,
    is_cup,
    goals_for,
    goals_against,
    case
        when goals_for > goals_against then 3
        when goals_for = goals_against then 1
        when goals_for < goals_against then 0
    end::tinyint as points,
    rest_days,
    matches_known,
    season_matches_known
from team_sides
