create or replace function seqctl._counter_name(
    p_series seqctl.series,
    p_group_key text,
    p_period date
)
returns text
language sql
immutable
as $function$
    select seqctl._period_text(p_series, p_period) || case when p_group_key <> '' then format(', group %L', p_group_key) else '' end
$function$;

comment on function seqctl._counter_name(seqctl.series, text, date) is 'A counter as messages name it.';

revoke all on function seqctl._counter_name(seqctl.series, text, date) from public;
