create or replace function seqctl.detach(
    target regclass,
    number_column name default 'number'
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_id integer;
    v_owner oid;
    v_write_function text;
    v_trigger record;
begin
    perform seqctl._attached(target, number_column);
    select c.relowner into v_owner from pg_class c where c.oid = target;
    if v_owner is not null and not pg_has_role(current_user, v_owner, 'USAGE') then
        raise exception using
            errcode = 'SQ005',
            message = format('%s belongs to %s; %s cannot detach it', target, v_owner::regrole, current_user),
            hint = format('Run this as %s, or as a member of that role.', v_owner::regrole);
    end if;
    if v_owner is not null then
        -- As dropping a trigger does. Another session may detach it, too, and attach it again: then it is that attachment.
        execute format('lock table %s in access exclusive mode', target);
    end if;
    v_id := seqctl._attached(target, number_column);
    select seqctl._find_write_function(a) into v_write_function from seqctl.attachment a where a.id = v_id;

    for v_trigger in
        select t.tgname, t.tgrelid::regclass as on_table
        from pg_trigger t
        join pg_proc f on f.oid = t.tgfoid
        where f.pronamespace = 'seqctl'::regnamespace
            and t.tgname ~ format('^zz_seqctl_%s_', v_id)
            -- Partitions that were detached since have lost the others, but not settle, which is their own.
            and t.tgparentid = 0
        order by t.tgrelid = target desc, t.tgname
    loop
        execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.on_table);
    end loop;
    perform seqctl._unregister_attachment(v_id);
    if v_write_function is not null then
        execute format('drop function %s', seqctl._write_signature(v_write_function));
    end if;
end
$function$;

comment on function seqctl.detach(regclass, name) is 'Unbinds a number column; numbers, index and counters stay.';

revoke all on function seqctl.detach(regclass, name) from public;
