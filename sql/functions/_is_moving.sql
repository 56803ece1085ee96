-- The move trigger notes the row that is about to be deleted from a partition. The note can be forged; that a row was deleted from a
-- partition right after it cannot.
create or replace function seqctl._is_moving(
    p_attachment_id integer,
    p_number bigint
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_setting text := 'seqctl.moving_' || p_attachment_id;
    v_note text[] := string_to_array(current_setting(v_setting, true), ' ');
begin
    if v_note[1] = p_number::text
        and v_note[3]::bigint >= 0
        and v_note[3]::bigint + 1 = pg_stat_get_xact_tuples_deleted(v_note[2]::oid)
        and seqctl._is_partition(p_attachment_id, v_note[2]::oid)
    then
        perform set_config(v_setting, '', true);
        return true;
    end if;
    return false;
end
$function$;

comment on function seqctl._is_moving(integer, bigint) is
    'Whether an UPDATE is moving the row with that number from one partition to another.';

revoke all on function seqctl._is_moving(integer, bigint) from public;
