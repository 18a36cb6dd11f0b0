-- one row per team and day with more than one match: rest days and form of such a day would be arbitrary
select
    team_id,
    kickoff_date,
    count(*) as matches
from {{ ref('team_matches') }}
group by
    team_id,
    kickoff_date
having count(*) > 1
