-- one row per match
select
    match_id,
    league_id,
    split_part(league_id, '.', 1) as country,
    try_cast(split_part(league_id, '.', 2) as integer) as tier,
    season,
    kickoff_date,
    kickoff_time::time as kickoff_time,
    home_team,
    away_team,
    country || ':' || home_team as home_team_id,
    country || ':' || away_team as away_team_id,
    home_goals,
    away_goals,
    home_goals is not null and away_goals is not null as is_played,
    case
        when not is_played then null
        when home_goals > away_goals then 0
        when home_goals = away_goals then 1
        else 2
    end::tinyint as outcome,
    is_cup,
    round,
    odds_home,
    odds_draw,
    odds_away
from {{ source('bucket', 'raw_matches') }}
