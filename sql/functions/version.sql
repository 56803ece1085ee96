create or replace function seqctl.version()
returns text
language sql
stable
as $function$
    select i.version from seqctl.installation i
$function$;

comment on function seqctl.version() is 'The installed version of seqctl.';

revoke all on function seqctl.version() from public;
