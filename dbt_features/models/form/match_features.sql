{%- set venues = ['home', 'away'] -%}
{%- set form_columns = [
    'points_5',
    'points_10',
    'goals_for_5',
    'goals_for_10',
    'goals_against_5',
    'goals_against_10',
] -%}
{%- set venue_form_columns = ['points_5', 'goals_for_5', 'goals_against_5'] -%}

-- one row per team, with a number in its place
with teams as (
    {{ numbered_teams(ref('team_matches')) }}
),

-- one row per league and season, likewise
league_seasons as (
    {{ numbered_league_seasons(ref('team_matches')) }}
),

matches as (
    select * from {{ ref('stg_matches') }}
),

form as (
    select
        team_form.*,
        teams.team,
        league_seasons.league_season
    from {{ ref('team_form') }} as team_form
    inner join teams
        on team_form.team_id = teams.team_id
    inner join league_seasons
        on team_form.league_id = league_seasons.league_id
        and team_form.season = league_seasons.season
),

ratings as (
    select * from {{ source('bucket', 'team_ratings') }}
),

-- one row per team and match; it counts the matches that are known on its day, which are those of earlier days
sides as (
    select
        team_matches.*,
        teams.team,
        league_seasons.league_season
    from {{ ref('team_matches') }} as team_matches
    inner join teams
        on team_matches.team_id = teams.team_id
    inner join league_seasons
        on team_matches.league_id = league_seasons.league_id
        and team_matches.season = league_seasons.season
)

select
    matches.match_id,
    matches.league_id,
    matches.country,
    matches.tier,
    matches.season,
    matches.kickoff_date,
    matches.home_team,
    matches.away_team,
    matches.home_team_id,
    matches.away_team_id,
    matches.is_cup,
    matches.is_played,
    matches.home_goals,
    matches.away_goals,
    matches.outcome,
    matches.odds_home,
    matches.odds_draw,
    matches.odds_away,
    matches.pre_match_odds_home,
    matches.pre_match_odds_draw,
    matches.pre_match_odds_away,
    matches.bookmaker_odds_home,
    matches.bookmaker_odds_draw,
    matches.bookmaker_odds_away,
    matches.closing_odds_home,
    matches.closing_odds_draw,
    matches.closing_odds_away,
    home_ratings.league_home_goals,
    home_ratings.league_away_goals
    {%- for side in venues %},
    {{ side }}.rest_days as {{ side }}_rest_days,
    {{ side }}.matches_known as {{ side }}_matches_known,
    {%- for column in form_columns %}
    {{ side }}_form.{{ column }} as {{ side }}_{{ column }},
    {%- endfor %}
    {%- for column in venue_form_columns %}
    {{ side }}_form.{{ side }}_{{ column }} as {{ side }}_venue_{{ column }},
    {%- endfor %}
    {{ side }}.season_matches_known as {{ side }}_season_played,
    {{ side }}_season.season_points / {{ side }}_season.season_played as {{ side }}_season_points_per_match,
    {{ side }}_season.season_goal_difference / {{ side }}_season.season_played
        as {{ side }}_season_goal_difference_per_match,
    {{ side }}_season.season_position as {{ side }}_season_position,
    {{ side }}_ratings.elo as {{ side }}_elo,
    {{ side }}_ratings.attack as {{ side }}_attack,
    {{ side }}_ratings.defence as {{ side }}_defence
    {%- endfor %}
from matches
{%- for side in venues %}
left join sides as {{ side }}
    on matches.match_id = {{ side }}.match_id
    and {{ 'not ' if side == 'away' }}{{ side }}.is_home
left join form as {{ side }}_form
    on {{ side }}.team = {{ side }}_form.team
    and {{ side }}.matches_known = {{ side }}_form.matches_known
left join form as {{ side }}_season
    on {{ side }}.team = {{ side }}_season.team
    and {{ side }}.league_season = {{ side }}_season.league_season
    and {{ side }}.season_matches_known = {{ side }}_season.season_played
left join ratings as {{ side }}_ratings
    on matches.match_id = {{ side }}_ratings.match_id
    and {{ 'not ' if side == 'away' }}{{ side }}_ratings.is_home
{%- endfor %}
