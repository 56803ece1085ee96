create or replace function seqctl._refuse_hole(
    p_series_id integer,
    p_group_key text,
    p_low bigint,
    p_high bigint,
    p_last bigint,
    p_detail text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ013',
        message = format(
            'numbers %s to %s of series %L%s do not follow number %s',
            p_low, p_high,
            (select s.name from seqctl.series s where s.id = p_series_id),
            case when p_group_key = '' then '' else format(', group %L,', p_group_key) end,
            p_last
        ),
        detail = p_detail,
        hint = 'Something changed a number, a group or a date after seqctl numbered the row: a BEFORE trigger whose name sorts '
            'after zz_seqctl, or a setting seqctl.* that was set by hand. Rename the trigger; if there is none, run seqctl verify.';
end
$function$;

comment on function seqctl._refuse_hole(integer, text, bigint, bigint, bigint, text) is 'Raises SQ013 for numbers that do not follow the last.';

revoke all on function seqctl._refuse_hole(integer, text, bigint, bigint, bigint, text) from public;
