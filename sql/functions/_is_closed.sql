-- From the history, which knows groups that have no counter yet. For a counter that is locked, counter.closed says the same.
create or replace function seqctl._is_closed(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns boolean
language sql
stable
as $function$
    select coalesce(
        (
            select p.action = 'close'
            from seqctl.period_closing p
            where p.series_id = p_series_id
                and p.period = p_period
                and (p.group_key is null or p.group_key = p_group_key)
            order by p.id desc
            limit 1
        ),
        false
    )
$function$;

comment on function seqctl._is_closed(integer, text, date) is 'Whether a period is closed for a group, by its history.';

revoke all on function seqctl._is_closed(integer, text, date) from public;
