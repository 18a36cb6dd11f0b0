-- one row per match and side whose form is not that of the team's last match on an earlier day
with sides as (
    select
        match_id,
        home_team_id as team_id,
        kickoff_date,
        home_matches_known as matches_known
    from {{ ref('match_features') }}
    union all
    select
        match_id,
        away_team_id as team_id,
        kickoff_date,
        away_matches_known as matches_known
    from {{ ref('match_features') }}
),

-- one row per side with the last state that a strictly earlier day left behind
states as (
    select
        sides.match_id,
        sides.team_id,
        sides.matches_known,
        form.matches_known as matches_played
    from sides
    asof left join (select team_id, kickoff_date, matches_known from {{ ref('team_form') }}) as form
        on sides.team_id = form.team_id
        and sides.kickoff_date > form.kickoff_date
)

select *
from states
where matches_known <> coalesce(matches_played, 0)
