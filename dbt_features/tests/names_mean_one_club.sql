-- one row per name that two clubs of a country claim
with names as (
    select
        country,
        club,
        trim(unnest(string_split(club || ';' || coalesce(aliases, ''), ';'))) as name
    from {{ ref('clubs') }}
)

select
    country,
    name,
    count(distinct club) as clubs
from names
where name <> ''
group by
    country,
    name
having count(distinct club) > 1
