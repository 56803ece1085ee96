-- See _change_period for the locks.
create or replace function seqctl.reopen_period(
    series text,
    on_date date,
    reason text,
    group_key text default null,
    out period text,
    out changed boolean,
    out counters bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
    if reason is null or reason !~ '\S' then
        raise exception using
            errcode = 'SQ024',
            message = 'reopening a period needs a reason',
            hint = 'Say why, for the auditor: reason => ''late invoice of supplier X''.';
    end if;
    select c.period, c.changed, c.counters into reopen_period.period, reopen_period.changed, reopen_period.counters
    from seqctl._change_period('reopen_period', series, on_date, group_key, reason) c;
end
$function$;

comment on function seqctl.reopen_period(text, date, text, text) is
    'Reopens a closed period, for one group or (NULL) all; the reason is kept.';

revoke all on function seqctl.reopen_period(text, date, text, text) from public;
