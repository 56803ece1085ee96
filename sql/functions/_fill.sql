-- One pass over the template: a value that holds <<something>> itself stays as it is.
create or replace function seqctl._fill(
    p_template text,
    p_values jsonb
)
returns text
language sql
immutable
as $function$
    select string_agg(part.text || coalesce(p_values ->> name.text, ''), '' order by part.at)
    from unnest(regexp_split_to_array(p_template, '<<[a-z_]+>>')) with ordinality as part (text, at)
    left join (
        select m.match[1] as text, m.at
        from regexp_matches(p_template, '<<([a-z_]+)>>', 'g') with ordinality as m (match, at)
    ) name on name.at = part.at
$function$;

comment on function seqctl._fill(text, jsonb) is 'Puts values in the <<places>> of a template.';

revoke all on function seqctl._fill(text, jsonb) from public;
