-- one row per team whose matches are not numbered 1, 2, 3 and so on
select
    team_id,
    count(*) as matches,
    max(matches_known) as last_number
from {{ ref('team_form') }}
group by team_id
having count(*) <> max(matches_known)
    or count(distinct matches_known) <> count(*)
