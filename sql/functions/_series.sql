-- The one place where an unknown series is refused.
create or replace function seqctl._series(p_name text)
returns seqctl.series
language plpgsql
stable
as $function$
declare
    v_series seqctl.series;
begin
    select s.* into v_series from seqctl.series s where s.name = p_name;
    if not found then
        raise exception using
            errcode = 'SQ001',
            message = pg_catalog.format('series %s does not exist', coalesce(pg_catalog.quote_literal(p_name), 'NULL')),
            detail = coalesce(
                (select 'Series: ' || pg_catalog.string_agg(s.name, ', ' order by s.name)
                from (select x.name from seqctl.series x order by x.name limit 20) s),
                'There is no series yet.'
            ),
            hint = 'Create it with seqctl.create_series(), or correct the name.';
    end if;
    return v_series;
end
$function$;

comment on function seqctl._series(text) is 'The series of that name, or SQ001.';

revoke all on function seqctl._series(text) from public;
