-- What attach() and adopt() begin with. The lock keeps writers out until the transaction ends, so that no row can slip in between the look
-- at the numbers and the triggers. A view or a catalogue is not locked: it is refused later.
create or replace function seqctl._lock_target(
    p_target regclass,
    p_lock boolean
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_table pg_class;
begin
    select c.* into v_table from pg_class c where c.oid = p_target;
    if not found then
        raise exception using
            errcode = 'SQ005',
            message = format('there is no table %s', coalesce(p_target::text, 'NULL')),
            hint = 'Give the table''s name, for example ''public.invoices''.';
    elsif not pg_has_role(current_user, v_table.relowner, 'USAGE') then
        raise exception using
            errcode = 'SQ005',
            message = format('%s belongs to %s; %s cannot attach it', p_target, v_table.relowner::regrole, current_user),
            detail = 'Attaching makes triggers and a unique index, which only the owner of a table may do.',
            hint = format('Run this as %s, or as a member of that role.', v_table.relowner::regrole);
    elsif p_lock and v_table.relkind in ('r', 'p') and v_table.relnamespace <> 'pg_catalog'::regnamespace then
        execute format('lock table %s in share row exclusive mode', p_target);
    end if;
end
$function$;

comment on function seqctl._lock_target(regclass, boolean) is
    'Raises SQ005 unless the caller owns the table; locks it against writers, where that is wanted.';

revoke all on function seqctl._lock_target(regclass, boolean) from public;
