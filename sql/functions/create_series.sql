-- Every setting is checked here, not when the first number is asked for.
create or replace function seqctl.create_series(
    name text,
    format text default '{number}',
    reset text default 'yearly',
    fiscal_year_start text default '01-01',
    time_zone text default 'UTC',
    first_number bigint default 1,
    max_number bigint default null,
    max_length integer default null,
    external_code text default null,
    purpose text default null,
    on_checkout text default 'wait',
    ttl_action text default 'keep',
    chain boolean default false
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
begin
    v_series.name := name;
    v_series.format := format;
    v_series.reset := reset;
    v_series.fiscal_year_start := fiscal_year_start;
    v_series.time_zone := time_zone;
    v_series.first_number := first_number;
    v_series.max_number := max_number;
    v_series.max_length := max_length;
    v_series.external_code := external_code;
    v_series.purpose := purpose;
    v_series.on_checkout := on_checkout;
    v_series.ttl_action := ttl_action;
    v_series.chain := coalesce(chain, false);
    perform seqctl._check_series(v_series);
    perform seqctl._check_policy(v_series);

    -- A race for one name is decided by the unique index; "do nothing" lets both losers say the same thing.
    insert into seqctl.series as s (
        name, format, reset, fiscal_year_start, time_zone, first_number, max_number, max_length, external_code, purpose,
        on_checkout, ttl_action, chain, created_by
    )
    values (
        v_series.name, v_series.format, v_series.reset, v_series.fiscal_year_start, v_series.time_zone, v_series.first_number,
        v_series.max_number, v_series.max_length, v_series.external_code, v_series.purpose, v_series.on_checkout,
        v_series.ttl_action, v_series.chain, session_user
    )
    on conflict on constraint series_name_key do nothing;
    if not found then
        raise exception using
            errcode = 'SQ003',
            message = pg_catalog.format('series %L exists already', v_series.name),
            hint = 'Choose another name, or look at the one there is: select * from seqctl.series.';
    end if;
    return v_series.name;
end
$function$;

comment on function seqctl.create_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, boolean) is
    'Creates a series after checking every setting; returns its name.';

revoke all on function seqctl.create_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, boolean) from public;
