-- one row per match that has not exactly one home and one away side
select
    match_id,
    count(*) as sides
from {{ ref('team_matches') }}
group by match_id
having count(*) filter (where is_home) <> 1
    or count(*) filter (where not is_home) <> 1
