-- After an UPDATE: rows got numbers that are not above their counter. That is right only if they were settled ahead of the statement,
-- by a trigger that inserted more documents meanwhile, or one by one in a partition without triggers of its own; and only if no
-- number is there twice.
create or replace function seqctl._refuse_unsettled(
    p_attachment_id integer,
    p_group_key text,
    p_period date,
    p_low bigint,
    p_high bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment seqctl.attachment;
    v_given record;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    select t.* into v_given from seqctl._table_numbers(v_attachment.series_id, p_group_key, p_period, p_low, p_high) t;
    if v_given.row_count <> v_given.distinct_count
        or not exists (select from pg_partition_tree(v_attachment.target) t where t.relid <> v_attachment.target)
        and not exists (
            select
            from seqctl.counter c
            where c.series_id = v_attachment.series_id
                and c.early_xid = pg_current_xact_id()
                and not exists (
                    select
                    from unnest(c.early_taken * int8multirange(int8range(p_low, p_high, '[]'))) as n (taken)
                    cross join lateral seqctl._table_numbers(c.series_id, c.group_key, c.period, lower(n.taken), upper(n.taken) - 1) t
                    where c.group_key = p_group_key and c.period = p_period and t.row_count > 0
                )
        )
    then
        raise exception using
            errcode = 'SQ012',
            message = format(
                '%s.%I: a row was given a number that series %L has used or passed',
                v_attachment.target, v_attachment.number_column,
                (select s.name from seqctl.series s where s.id = v_attachment.series_id)
            ),
            detail = 'seqctl gives the numbers of this table. Nothing was changed.',
            hint = 'Leave number and document number out of the UPDATE.';
    end if;
end
$function$;

comment on function seqctl._refuse_unsettled(integer, text, date, bigint, bigint) is
    'Raises SQ012 where an UPDATE wrote a number that was not the next.';

revoke all on function seqctl._refuse_unsettled(integer, text, date, bigint, bigint) from public;
