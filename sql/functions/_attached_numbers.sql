-- All numbers in the attached tables of a series, for adopt(): who owns one table of a series may own none of the others.
-- row_security = off: a policy that hides rows would make a wrong answer; PostgreSQL raises an error instead.
create or replace function seqctl._attached_numbers(
    p_series_id integer,
    p_chronology text default 'off'
)
returns table (
    group_key text,
    period date,
    number bigint,
    dated timestamp
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
declare
    v_attachment seqctl.attachment;
begin
    for v_attachment in
        -- Without those that were dropped.
        select a.*
        from seqctl.attachment a
        join pg_class c on c.oid = a.target and c.relkind in ('r', 'p')
        where a.series_id = p_series_id
        order by a.id
    loop
        perform seqctl._refuse_incomplete(v_attachment.id);
        v_attachment.chronology := p_chronology;
        return query execute seqctl._fill(
            'select <<group>>, <<period>>, i.<<number>>::pg_catalog.int8, <<dated>> from <<target>> i where i.<<number>> is not null',
            seqctl._adoption_values(v_attachment)
        );
    end loop;
end
$function$;

comment on function seqctl._attached_numbers(integer, text) is 'The numbers in the attached tables of a series.';

revoke all on function seqctl._attached_numbers(integer, text) from public;
