-- The cost of a window grows with its number of sums, so three sums share one number, four digits each. `rules.py`
-- rejects a match with more than 30 goals of a team: four digits hold 333 matches, and a season has fewer than 100.
{%- set units = {'points': 1, 'goals_for': 10000, 'goals_against': 100000000} %}

-- one row per team, with a number in its place
with teams as (
    {{ numbered_teams(ref('team_matches')) }}
),

-- one row per league and season, likewise
league_seasons as (
    {{ numbered_league_seasons(ref('team_matches')) }}
),

-- one row per team and match, with a number of its own
numbered as (
    select
        (row_number() over (order by match_id, team_id))::integer as line,
        *
    from {{ ref('team_matches') }}
),

-- one row per team and played match
played as (
    select
        numbered.line,
        numbered.match_id,
        numbered.team_id,
        numbered.league_id,
        numbered.season,
        numbered.kickoff_date,
        numbered.is_home,
        numbered.is_cup,
        {% for name, unit in units.items() -%}
        {{ '+ ' if not loop.first }}numbered.{{ name }} * {{ unit }}::bigint {% endfor %} as tally,
        teams.team,
        league_seasons.league_season
    from numbered
    inner join teams
        on numbered.team_id = teams.team_id
    inner join league_seasons
        on numbered.league_id = league_seasons.league_id
        and numbered.season = league_seasons.season
    where numbered.is_played
),

-- one row per league table: a league, season and day with a played match
league_days as (
    select
        league_season,
        kickoff_date,
        (row_number() over (order by league_season, kickoff_date))::integer as league_day,
        (count(*) over (order by league_season))::integer as last_league_day
    from (select distinct league_season, kickoff_date from played where not is_cup)
),

-- one row per team and played match: tallies of its last matches, of those at the same kind of ground, of its season
tallies as (
    select
        played.line,
        played.team,
        played.is_home,
        league_days.league_day,
        row_number() over so_far as matches_known,
        row_number() over venue_so_far as venue_matches_known,
        row_number() over season_so_far as season_played,
        (sum(played.tally) over last_5)::bigint as tally_5,
        (sum(played.tally) over last_10)::bigint as tally_10,
        (sum(played.tally) over venue_5)::bigint as tally_venue_5,
        (sum(played.tally) over season_so_far)::bigint as tally_season,
        lead(league_days.league_day, 1, league_days.last_league_day + 1) over season_so_far as next_league_day
    from played
    left join league_days
        on played.league_season = league_days.league_season
        and played.kickoff_date = league_days.kickoff_date
        and not played.is_cup
    window
        so_far as (
            partition by played.team
            order by played.kickoff_date, played.line
            rows unbounded preceding
        ),
        last_5 as (
            partition by played.team
            order by played.kickoff_date, played.line
            rows 4 preceding
        ),
        last_10 as (
            partition by played.team
            order by played.kickoff_date, played.line
            rows 9 preceding
        ),
        venue_so_far as (
            partition by played.team, played.is_home
            order by played.kickoff_date, played.line
            rows unbounded preceding
        ),
        venue_5 as (
            partition by played.team, played.is_home
            order by played.kickoff_date, played.line
            rows 4 preceding
        ),
        season_so_far as (
            partition by played.team, played.league_season
            order by played.kickoff_date, played.line
            rows unbounded preceding
        )
),

-- one row per team and played match: the sums that the tallies hold
recent as (
    select
        line,
        team,
        is_home,
        league_day,
        next_league_day,
        matches_known,
        venue_matches_known,
        case when is_home then venue_matches_known else matches_known - venue_matches_known end as home_matches_known,
        matches_known - home_matches_known as away_matches_known,
        season_played
        {%- for over in ['5', '10', 'venue_5', 'season'] %}
        {%- for name, unit in units.items() %},
        (tally_{{ over }} // {{ unit }} % 10000)::smallint as {{ name }}_{{ over }}
        {%- endfor %}
        {%- endfor %}
    from tallies
),

-- one row per line of a league table: a team that has played by then, with its last match
league_table_lines as (
    select
        line,
        league_day as played_on,
        unnest(range(league_day, next_league_day))::integer as league_day,
        points_season as points,
        goals_for_season - goals_against_season as goal_difference,
        goals_for_season as goals_for,
        team
    from recent
),

positions as (
    select
        line,
        row_number() over (
            partition by league_day
            order by
                points desc,
                goal_difference desc,
                goals_for desc,
                team
        ) as position
    from league_table_lines
    qualify league_day = played_on
),

-- one row per team, kind of ground and played match there
venue_form as (
    select
        team,
        is_home,
        venue_matches_known as matches_known,
        points_venue_5 / least(venue_matches_known, 5) as points_5,
        goals_for_venue_5 / least(venue_matches_known, 5) as goals_for_5,
        goals_against_venue_5 / least(venue_matches_known, 5) as goals_against_5
    from recent
)

select
    played.match_id,
    played.team_id,
    played.league_id,
    played.season,
    played.kickoff_date,
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
    recent.points_season::bigint as season_points,
    (recent.goals_for_season - recent.goals_against_season)::bigint as season_goal_difference,
    positions.position as season_position
from played
inner join recent
    on played.line = recent.line
left join positions
    on recent.line = positions.line
left join venue_form as home_form
    on recent.team = home_form.team
    and recent.home_matches_known = home_form.matches_known
    and home_form.is_home
left join venue_form as away_form
    on recent.team = away_form.team
    and recent.away_matches_known = away_form.matches_known
    and not away_form.is_home
