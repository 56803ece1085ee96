-- Always: session_replication_role = replica does not switch it off.
create or replace trigger refuse_chain_change
    before update or delete or truncate on seqctl.chain_link
    for each statement
    execute function seqctl._refuse_chain_change();

alter table seqctl.chain_link enable always trigger refuse_chain_change;
