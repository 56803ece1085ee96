create or replace function seqctl.grant_access(
    role name,
    level text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_signature text;
begin
    perform seqctl._check_access(role, level);
    execute format('grant usage on schema seqctl to %I', role);
    execute format(
        'grant select on seqctl.installation, seqctl.migration, seqctl.series, seqctl.counter, seqctl.period_closing, seqctl.voided_range, seqctl.counter_correction, seqctl.checkout, seqctl.chain_link, seqctl.chain_scope, seqctl.former_format, seqctl.accepted_inversion, seqctl.attachment, seqctl.counters, seqctl.closings, seqctl.voids, seqctl.counter_corrections, seqctl.checkouts, seqctl.chain_heads, seqctl.attachments to %I',
        role
    );
    for v_signature in
        select g.signature
        from seqctl._grantable_functions() g
        where array_position('{read,issue,admin}', g.level) <= array_position('{read,issue,admin}', grant_access.level)
    loop
        execute format('grant execute on function %s to %I', v_signature, role);
    end loop;
end
$function$;

comment on function seqctl.grant_access(name, text) is 'Gives a role access to seqctl: read, issue (and read) or admin (and both).';

revoke all on function seqctl.grant_access(name, text) from public;
