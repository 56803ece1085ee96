-- Always: session_replication_role = replica does not switch it off.
create or replace trigger refuse_chain_change
    before update or delete or truncate on seqctl.chain_link
    for each statement
    execute function seqctl._refuse_record_change(
        'SQ040',
        'the hash chains',
        'They prove what was issued.',
        'Links are added when numbers are issued, and stay. seqctl verify compares them with the tables.'
    );

alter table seqctl.chain_link enable always trigger refuse_chain_change;
