-- Who takes a number in the middle of a statement takes it after the rows that the statement has inserted so far, which are not settled
-- yet: this tells the highest of them, NULL if there is none. The caller settles them ahead, so what _settle_odd would refuse at the
-- statement's end has to be refused here.
create or replace function seqctl._landed(
    p_series_id integer,
    p_group_key text,
    p_period date,
    p_last_number bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_landed record;
begin
    select t.* into v_landed
    from seqctl._table_numbers(p_series_id, p_group_key, p_period, p_last_number + 1, 9223372036854775807) t;
    if v_landed.row_count <> v_landed.distinct_count or v_landed.row_count <> v_landed.highest - p_last_number then
        perform seqctl._refuse_hole(
            p_series_id, p_group_key, p_last_number + 1, v_landed.highest, p_last_number,
            format(
                'The statement that is running has inserted %s numbers above %s, the highest %s. Nothing was inserted.',
                v_landed.row_count, p_last_number, v_landed.highest
            )
        );
    end if;
    return v_landed.highest;
end
$function$;

comment on function seqctl._landed(integer, text, date, bigint) is
    'The highest number of rows that are not settled yet, or NULL; raises SQ013 if they leave a hole.';

revoke all on function seqctl._landed(integer, text, date, bigint) from public;
