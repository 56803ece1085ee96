-- Always: session_replication_role = replica does not switch it off.
create or replace trigger refuse_register_change
    before update or delete or truncate on seqctl.voided_range
    for each statement
    execute function seqctl._refuse_register_change();

alter table seqctl.voided_range enable always trigger refuse_register_change;
