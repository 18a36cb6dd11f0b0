-- Numbers in place of texts: windows, joins and sorting take several times as long for texts.

{#- one row per team of a relation with `team_id` -#}
{% macro numbered_teams(relation) %}
    select
        team_id,
        (row_number() over (order by team_id))::integer as team
    from (select distinct team_id from {{ relation }})
{% endmacro %}

{#- one row per league and season of a relation with both -#}
{% macro numbered_league_seasons(relation) %}
    select
        league_id,
        season,
        (row_number() over (order by league_id, season))::integer as league_season
    from (select distinct league_id, season from {{ relation }})
{% endmacro %}
