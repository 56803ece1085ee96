create or replace trigger number_now
    after insert on seqctl.pending
    for each row
    when (new.keys is null)
    execute function seqctl._number_now();
