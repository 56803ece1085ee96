-- As counter.last_at has it: of the rows that the attached tables hold of a counter, where they keep the chronology.
-- row_security = off: a policy that hides rows would make a wrong answer; PostgreSQL raises an error instead.
create or replace function seqctl._latest_date(
    p_series_id integer,
    p_group_key text,
    p_period date
)
returns timestamp
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_latest timestamp;
    v_date timestamp;
begin
    for v_attachment in
        -- Without those that were dropped.
        select a.*
        from seqctl.attachment a
        join pg_class c on c.oid = a.target
        where a.series_id = p_series_id and a.chronology <> 'off'
        order by a.id
    loop
        execute seqctl._fill(
            'select max(<<row_at>>) from <<target>> i where i.<<number>> is not null and ',
            seqctl._attachment_values(v_attachment.id)
        ) || seqctl._counter_condition(v_attachment, '$1', '$2')
        into v_date
        using p_group_key, p_period;
        v_latest := greatest(v_latest, v_date);
    end loop;
    return v_latest;
end
$function$;

comment on function seqctl._latest_date(integer, text, date) is 'The latest date of a numbered row of a counter, or NULL.';

revoke all on function seqctl._latest_date(integer, text, date) from public;
