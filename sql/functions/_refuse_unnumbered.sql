create or replace function seqctl._refuse_unnumbered(
    p_series_id integer,
    p_group_key text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ013',
        message = format(
            'a row of series %L%s came without the number that seqctl gave it',
            (select s.name from seqctl.series s where s.id = p_series_id),
            case when p_group_key = '' then '' else format(', group %L,', p_group_key) end),
        detail = 'Something took it away again. Nothing was inserted.',
        hint = 'Look for a BEFORE trigger whose name sorts after zz_seqctl, and rename it; or for triggers of seqctl that are disabled.';
end
$function$;

comment on function seqctl._refuse_unnumbered(integer, text) is 'Raises SQ013 for a row that lost its number before it was stored.';

revoke all on function seqctl._refuse_unnumbered(integer, text) from public;
