-- What is waited for is the end of this call's own transaction, because a commit is the one event in PostgreSQL that
-- flushes the WAL up to itself, hence every commit before it, and also waits for the synchronous standbys. A commit does so only
-- when it has written something, hence the message, which nobody reads; and only with synchronous_commit on, hence the setting,
-- whatever the session's is (remote_apply, which waits for more, is left alone). Sessions that call it at the same time share
-- one flush. No lock is held meanwhile.
--
-- So it is to be called as a statement of its own, after COMMIT: then it returns when the disk and the standbys have answered. In a
-- longer transaction it makes that COMMIT a durable one: nothing is lost, but the locks are held during the flush.
--
-- Waiting in a loop for pg_current_wal_flush_lsn() was not chosen: nothing but the WAL writer flushes then, up to three times
-- wal_writer_delay (0.6 s) later, and it says nothing about standbys. pg_logical_emit_message() can flush by itself only from
-- PostgreSQL 17 on, and does not wait for standbys either.
create or replace function seqctl.await_durable()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    if pg_is_in_recovery() then
        raise exception using
            errcode = 'read_only_sql_transaction',
            message = 'await_durable() cannot be called on a standby',
            hint = 'Call it on the server that committed, best on the same connection.';
    end if;
    if current_setting('synchronous_commit') <> 'remote_apply' then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    perform pg_logical_emit_message(true, 'seqctl', '');
end
$function$;

comment on function seqctl.await_durable() is
    'Returns, as a statement of its own, when everything committed before it is on disk and on the synchronous standbys.';

revoke all on function seqctl.await_durable() from public;
