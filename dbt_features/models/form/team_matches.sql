with home_sides as (
    select
        match_id,
        home_team_id as team_id,
        away_team_id as opponent_id,
        league_id,
        season,
        kickoff_date,
        true as is_home,
        is_played,
        is_cup,
        home_goals as goals_for,
        away_goals as goals_against
    from {{ ref('stg_matches') }}
),

away_sides as (
    select
        match_id,
        away_team_id as team_id,
        home_team_id as opponent_id,
        league_id,
        season,
        kickoff_date,
        false as is_home,
        is_played,
        is_cup,
        away_goals as goals_for,
        home_goals as goals_against
    from {{ ref('stg_matches') }}
),

sides as (
    select * from home_sides
    union all
    select * from away_sides
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
    kickoff_date - max(case when is_played then kickoff_date end) over earlier_days as rest_days,
    count(*) filter (where is_played) over earlier_days as matches_known,
    count(*) filter (where is_played) over earlier_days_of_season as season_matches_known
from sides
window
    earlier_days as (
        partition by team_id
        order by kickoff_date
        groups between unbounded preceding and 1 preceding
    ),
    earlier_days_of_season as (
        partition by team_id, league_id, season
        order by kickoff_date
        groups between unbounded preceding and 1 preceding
    )
order by
    kickoff_date,
    league_id,
    match_id,
    team_id
