-- Whoever owns the function that writes numbers may alter it. Its body is his affair: it runs with his rights, and settle_update looks at the
-- outcome. But whatever the call itself evaluates runs with the rights of seqctl's owner: the whole function, were it no longer SECURITY
-- DEFINER; default values; casts of arguments or of the result. So only a function of exactly that signature is called, with all its
-- arguments, and only if it belongs to the table's owner. It is looked at before the call, which also brings this session's catalogue
-- cache up to date, and again (_checked) in an argument of the call, which PostgreSQL evaluates after it has looked the function up: the same
-- version both times is the one that is called.
--
-- A query of REPEATABLE READ shows the catalogues of long ago, the call takes the function as it is now. to_regproc and currtid2, which
-- follows the versions of a row to the latest, look at what is there now.
create or replace function seqctl._write_version(
    p_write_function text,
    p_target oid
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_owner oid;
    v_is_latest boolean;
    v_function record;
    -- By the name alone, unless there are others of that name: reading the types of ten arguments takes longer than all the rest.
    v_id oid := to_regproc(p_write_function);
begin
    if v_id is null then
        v_id := to_regprocedure(seqctl._write_signature(p_write_function));
    end if;
    select
        p.xmin::text || p.ctid::text as version, p.proowner,
        p.prosecdef and p.prokind = 'f' and p.prorettype = 20 and not p.proretset
            and p.proargtypes = '26 1028 1010 1016 1009 1115 1009 20 25 23' as is_whole,
        currtid2('pg_catalog.pg_proc', p.ctid) = p.ctid as is_latest
    into v_function
    from pg_proc p
    where p.oid = v_id;
    if v_function.is_latest then
        select c.relowner, currtid2('pg_catalog.pg_class', c.ctid) = c.ctid into v_owner, v_is_latest
        from pg_class c
        where c.oid = p_target;
    end if;
    if v_function.is_latest and v_is_latest is null then
        return null;
    elsif not (v_function.is_latest and v_is_latest) then
        raise exception using
            errcode = '40001',
            message = format('function %s, or its table, was altered since this transaction began', p_write_function),
            detail = 'It writes the numbers into the rows of the table. Nothing was numbered.',
            hint = 'Run the transaction again.';
    elsif v_function.is_whole is not true then
        raise exception using
            errcode = 'SQ005',
            message = format('function %s is not as seqctl made it', p_write_function),
            detail = 'It writes the numbers into the rows of its table, with the rights of the table''s owner. It was dropped or altered. '
                'Nothing was numbered.',
            hint = 'If its schema was renamed, run seqctl install. Else detach the table and attach it again, in one transaction.';
    elsif v_function.proowner <> v_owner then
        raise exception using
            errcode = 'SQ005',
            message = format('function %s belongs to %s, its table to %s', p_write_function, v_function.proowner::regrole, v_owner::regrole),
            detail = 'It writes the numbers into the rows, with the rights of the table''s owner. Nothing was numbered.',
            hint = format('alter function %s owner to %s;', p_write_function, v_owner::regrole);
    end if;
    return v_function.version;
end
$function$;

comment on function seqctl._write_version(text, oid) is 'The version of the function that writes a table''s numbers, if it may be called; NULL if there is no such table; else an error.';

revoke all on function seqctl._write_version(text, oid) from public;
