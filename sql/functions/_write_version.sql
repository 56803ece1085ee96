-- Whoever owns the function that writes numbers may alter it. Its body is his affair: it runs with his rights, and settle_update looks at the
-- outcome. But if it were no longer SECURITY DEFINER, it would run with the rights of seqctl's owner, and so would the triggers of his table. So
-- it is looked at before the call, which also brings this session's catalogue cache up to date, and again (_checked) in an argument of the
-- call, which PostgreSQL evaluates after it has looked the function up: the same version both times is the one that is called.
create or replace function seqctl._write_version(p_write_function text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_version text;
begin
    select p.xmin::text || p.ctid::text into v_version
    from pg_proc p
    where p.oid = to_regproc(p_write_function) and p.prosecdef;
    if v_version is null then
        raise exception using
            errcode = 'SQ005',
            message = format('function %s is not as seqctl made it', p_write_function),
            detail = 'It writes the numbers into the rows of its table, with the rights of the table''s owner. It was dropped, made '
                'SECURITY INVOKER, or there is another one of that name. Nothing was numbered.',
            hint = 'If its schema was renamed, run seqctl install. Else detach the table and attach it again, in one transaction.';
    end if;
    return v_version;
end
$function$;

comment on function seqctl._write_version(text) is 'The version of the function that writes numbers, if it may be called; else SQ005.';

revoke all on function seqctl._write_version(text) from public;
