-- What a table holds when it is attached, or when its series begins to keep a chain, joins the chains; what they say of a row already, in the
-- last link of its number, is not said again. The table is locked. The counters are updated, which locks them, and gives an older REPEATABLE READ
-- snapshot a clean 40001.
create or replace function seqctl._chain_attached(p_attachment_id integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set row_security = off
set enable_nestloop = off
set jit = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_source text;
    v_has_rows boolean;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    if not exists (select from seqctl.series s where s.id = v_attachment.series_id and s.chain) then
        return;
    end if;
    v_source := seqctl._chain_source(v_attachment);
    execute format('select exists (%s)', v_source) into v_has_rows;
    if not v_has_rows then
        return;
    end if;
    perform seqctl._lock_counters(v_attachment.series_id, null, null);
    update seqctl.counter c set last_number = c.last_number where c.series_id = v_attachment.series_id;
    execute format('with counter as materialized (select distinct q.group_key, q.period from (%s) q), ', v_source)
        || seqctl._chain_query(v_attachment.series_id, 'counter', format(
            $rows$select q.*, k.ordinal as replaces
            from (%s) q
            left join (
                select *
                from seqctl.chain_link k
                where k.series_id = %s
                    and not exists (
                        select
                        from seqctl.chain_link l
                        where l.series_id = k.series_id and l.group_key = k.group_key and l.period = k.period and l.replaces = k.ordinal
                    )
            ) k on k.group_key collate "C" = q.group_key collate "C" and k.period = q.period and k.number = q.number
            where k.content is distinct from q.content$rows$,
            v_source, v_attachment.series_id
        )) || ' select';
end
$function$;

comment on function seqctl._chain_attached(integer) is 'Adds the numbered rows of a table to the hash chains of its series, if it keeps some.';

revoke all on function seqctl._chain_attached(integer) from public;
