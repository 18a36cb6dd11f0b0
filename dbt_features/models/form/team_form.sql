with played as (
    select *
    from {{ ref('team_matches') }}
    where is_played
),

-- one row a team and played match: sums over its last matches, over those at the same kind of ground, over its season
recent as (
    select
        match_id,
        team_id,
        league_id,
        season,
        kickoff_date,
        is_home,
        is_cup,
        row_number() over so_far as matches_known,
        row_number() over venue_so_far as venue_matches_known,
        count(*) filter (where is_home) over so_far as home_matches_known,
        count(*) filter (where not is_home) over so_far as away_matches_known,
        sum(points) over last_5 as points_5,
        sum(points) over last_10 as points_10,
        sum(goals_for) over last_5 as goals_for_5,
        sum(goals_for) over last_10 as goals_for_10,
        sum(goals_against) over last_5 as goals_against_5,
        sum(goals_against) over last_10 as goals_against_10,
        sum(points) over venue_5 as venue_points_5,
        sum(goals_for) over venue_5 as venue_goals_for_5,
        sum(goals_against) over venue_5 as venue_goals_against_5,
        row_number() over season_so_far as season_played,
        sum(points) over season_so_far as season_points,
        sum(goals_for) over season_so_far as season_goals_for,
        sum(goals_for - goals_against) over season_so_far as season_goal_difference,
        lead(kickoff_date, 1, date '9999-12-31') over season_so_far as season_next_date
    from played
    window
        so_far as (
            partition by team_id
            order by kickoff_date, match_id
            rows unbounded preceding
        ),
        last_5 as (
            partition by team_id
            order by kickoff_date, match_id
            rows 4 preceding
        ),
        last_10 as (
            partition by team_id
            order by kickoff_date, match_id
            rows 9 preceding
        ),
        venue_so_far as (
            partition by team_id, is_home
            order by kickoff_date, match_id
            rows unbounded preceding
        ),
        venue_5 as (
            partition by team_id, is_home
            order by kickoff_date, match_id
            rows 4 preceding
        ),
        season_so_far as (
            partition by team_id, league_id, season
            order by kickoff_date, match_id
            rows unbounded preceding
        )
),

-- one row a league table: a league, season and day with a played match
league_days as (
    select
        row_number() over () as league_day,
        league_id,
        season,
        kickoff_date
    from (select distinct league_id, season, kickoff_date from played where not is_cup)
),

-- one row a line of a league table: a team that has played by then
league_table_lines as (
    select
        recent.match_id,
        recent.team_id,
        recent.kickoff_date = league_days.kickoff_date as played_that_day,
        row_number() over (
            partition by league_days.league_day
            order by
                recent.season_points desc,
                recent.season_goal_difference desc,
                recent.season_goals_for desc,
                recent.team_id
        ) as position
    from league_days
    inner join recent
        on league_days.league_id = recent.league_id
        and league_days.season = recent.season
        and league_days.kickoff_date >= recent.kickoff_date
        and league_days.kickoff_date < recent.season_next_date
),

positions as (
    select
        match_id,
        team_id,
        position
    from league_table_lines
    where played_that_day
),

-- one row a team, kind of ground and played match there
venue_form as (
    select
        team_id,
        is_home,
        venue_matches_known as matches_known,
        venue_points_5 / least(venue_matches_known, 5) as points_5,
        venue_goals_for_5 / least(venue_matches_known, 5) as goals_for_5,
        venue_goals_against_5 / least(venue_matches_known, 5) as goals_against_5
    from recent
)

select
    recent.match_id,
    recent.team_id,
    recent.league_id,
    recent.season,
    recent.kickoff_date,
    recent.matches_known,
    recent.points_5 / least(recent.matches_known, 5) as points_5,
    recent.points_10 / least(recent.matches_known, 10) as points_10,
    recent.goals_for_5 / least(recent.matches_known, 5) as goals_for_5,
    recent.goals_for_10 / least(recent.matches_known, 10) as goals_for_10,
    recent.goals_against_5 / least(recent.matches_known, 5) as goals_against_5,
    recent.goals_against_10 / least(recent.matches_known, 10) as goals_against_10,
    home_form.points_5 as home_points_5,
    home_form.goals_for_5 as home_goals_for_5,
    home_form.goals_against_5 as home_goals_against_5,
    away_form.points_5 as away_points_5,
    away_form.goals_for_5 as away_goals_for_5,
    away_form.goals_against_5 as away_goals_against_5,
    recent.season_played,
    recent.season_points::bigint as season_points,
    recent.season_goal_difference::bigint as season_goal_difference,
    positions.position as season_position
from recent
left join positions
    on recent.match_id = positions.match_id
    and recent.team_id = positions.team_id
left join venue_form as home_form
    on recent.team_id = home_form.team_id
    and recent.home_matches_known = home_form.matches_known
    and home_form.is_home
left join venue_form as away_form
    on recent.team_id = away_form.team_id
    and recent.away_matches_known = away_form.matches_known
    and not away_form.is_home
order by
    recent.kickoff_date,
    recent.league_id,
    recent.match_id,
    recent.team_id
