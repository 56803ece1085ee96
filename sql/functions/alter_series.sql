-- Runs with the caller's rights, because it locks the attached tables: what their triggers check is compiled into them, so whoever is
-- writing with the old limit or format must be through before this returns, and the next one must find the new triggers. The
-- tables come first, then the series' row, then the counters: the order in which a writer takes them. The rest is in
-- _alter_series.
--
-- NULL leaves a setting as it is; what can be without a value is taken away by its name in clear.
create or replace function seqctl.alter_series(
    name text,
    format text default null,
    reset text default null,
    fiscal_year_start text default null,
    time_zone text default null,
    first_number bigint default null,
    max_number bigint default null,
    max_length integer default null,
    external_code text default null,
    purpose text default null,
    on_checkout text default null,
    ttl_action text default null,
    clear text[] default '{}',
    chain boolean default null
)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_table record;
    v_locked oid[] := '{}';
begin
    if num_nonnulls(format, reset, fiscal_year_start, time_zone, first_number, max_number, max_length, chain) > 0
        or clear && '{max_number,max_length}'
    then
        for v_table in
            select distinct c.oid, c.relowner
            from seqctl.attachment a
            join seqctl.series s on s.id = a.series_id
            join pg_class c on c.oid = a.target
            where s.name = alter_series.name
            order by c.oid
        loop
            if not pg_has_role(current_user, v_table.relowner, 'USAGE') then
                raise exception using
                    errcode = 'SQ005',
                    message = pg_catalog.format(
                        '%s belongs to %s; %s cannot change the series that numbers it',
                        v_table.oid::regclass, v_table.relowner::regrole, current_user
                    ),
                    detail = 'The table is locked against writers while its triggers are written anew.',
                    hint = pg_catalog.format('Run this as %s, or as a member of that role.', v_table.relowner::regrole);
            end if;
            execute pg_catalog.format('lock table %s in share row exclusive mode', v_table.oid::regclass);
            v_locked := v_locked || v_table.oid;
        end loop;
    end if;
    return seqctl._alter_series(
        name, format, reset, fiscal_year_start, time_zone, first_number, max_number, max_length, external_code, purpose,
        on_checkout, ttl_action, clear, chain, v_locked
    );
end
$function$;

comment on function seqctl.alter_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, text[], boolean) is
    'Changes the settings of a series that are safe to change; returns a sentence that says which.';

revoke all on function seqctl.alter_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, text[], boolean) from public;
