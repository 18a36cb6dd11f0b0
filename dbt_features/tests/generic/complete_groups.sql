{% test complete_groups(model, groups) %}
-- one row per row that has some of the columns of a group, not all of them; list_count ignores nulls
select *
from {{ model }}
where
    {% for group in groups -%}
    {{ 'or ' if not loop.first }}list_count([{{ group | join(', ') }}]) not in (0, {{ group | length }})
    {% endfor %}
{% endtest %}
