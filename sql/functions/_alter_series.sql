-- The half of alter_series() that needs the rights of seqctl's owner. The counters are locked, so that a number that is being
-- given is compared with the new limit; and updated, so that a REPEATABLE READ transaction that read the old settings gets a clean
-- 40001 instead of a number.
create or replace function seqctl._alter_series(
    p_name text,
    p_format text,
    p_reset text,
    p_fiscal_year_start text,
    p_time_zone text,
    p_first_number bigint,
    p_max_number bigint,
    p_max_length integer,
    p_external_code text,
    p_purpose text,
    p_on_checkout text,
    p_ttl_action text,
    p_clear text[],
    p_chain boolean,
    p_locked_tables oid[]
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_old seqctl.series := seqctl._lock_series(
        p_name,
        'alter_series',
        num_nonnulls(
            p_format, p_reset, p_fiscal_year_start, p_time_zone, p_first_number, p_max_number, p_max_length, p_on_checkout, p_chain) > 0
            or coalesce(p_clear && '{max_number,max_length}', false),
        null,
        null
    );
    v_new seqctl.series := v_old;
    v_clear text[] := coalesce(p_clear, '{}');
    v_changed text[];
    v_odd text;
begin
    select string_agg(format('%L', c.name), ', ') into v_odd
    from unnest(v_clear) c (name)
    where c.name is null or c.name not in ('max_number', 'max_length', 'external_code', 'purpose');
    if v_odd is not null then
        raise exception using
            errcode = 'SQ002',
            message = format('clear names %s', v_odd),
            hint = 'Only max_number, max_length, external_code and purpose can be without a value.';
    end if;
    select string_agg(n.name, ', ') into v_odd
    from (
        values
            ('max_number', p_max_number::text),
            ('max_length', p_max_length::text),
            ('external_code', p_external_code),
            ('purpose', p_purpose)
    ) n (name, value)
    where n.name = any (v_clear) and n.value is not null;
    if v_odd is not null then
        raise exception using
            errcode = 'SQ002',
            message = format('%s is both given and cleared', v_odd),
            hint = 'Give a value, or name the setting in clear.';
    end if;

    v_new.format := coalesce(p_format, v_old.format);
    v_new.reset := coalesce(p_reset, v_old.reset);
    v_new.fiscal_year_start := coalesce(p_fiscal_year_start, v_old.fiscal_year_start);
    v_new.time_zone := coalesce(p_time_zone, v_old.time_zone);
    v_new.first_number := coalesce(p_first_number, v_old.first_number);
    v_new.max_number := case when 'max_number' = any (v_clear) then null else coalesce(p_max_number, v_old.max_number) end;
    v_new.max_length := case when 'max_length' = any (v_clear) then null else coalesce(p_max_length, v_old.max_length) end;
    v_new.external_code := case when 'external_code' = any (v_clear) then null else coalesce(p_external_code, v_old.external_code) end;
    v_new.purpose := case when 'purpose' = any (v_clear) then null else coalesce(p_purpose, v_old.purpose) end;
    v_new.on_checkout := coalesce(p_on_checkout, v_old.on_checkout);
    v_new.ttl_action := coalesce(p_ttl_action, v_old.ttl_action);
    v_new.chain := coalesce(p_chain, v_old.chain);
    select array_agg(n.key order by n.at) into v_changed
    from jsonb_each_text(to_jsonb(v_old)) o
    join unnest(array[
        'format', 'reset', 'fiscal_year_start', 'time_zone', 'first_number', 'max_number', 'max_length', 'external_code', 'purpose',
        'on_checkout', 'ttl_action', 'chain'
    ]) with ordinality n (key, at) using (key)
    where o.value is distinct from to_jsonb(v_new) ->> o.key;
    if v_changed is null then
        return format('series %s was left as it is', p_name);
    end if;

    perform seqctl._check_policy(v_new);
    if 'on_checkout' = any (v_changed) then
        perform seqctl._refuse_checkouts(v_old, null, null, 'on_checkout cannot be changed');
        -- A REPEATABLE READ transaction that read the old policy gets a clean 40001.
        update seqctl.counter c set last_number = c.last_number where c.series_id = v_old.id;
    end if;
    if v_changed && '{format,reset,fiscal_year_start,time_zone,first_number,max_number,max_length,chain}' then
        if v_changed && '{reset,fiscal_year_start,time_zone,first_number}' then
            perform seqctl._refuse_fixed(v_old, v_changed);
        end if;
        if v_old.chain and not v_new.chain then
            perform seqctl._refuse_unchained(v_old);
        end if;
        perform seqctl._check_series(v_new);
        perform seqctl._refuse_incomplete(a.id) from seqctl.attachment a where a.series_id = v_old.id order by a.id;
        if exists (
            select from seqctl.attachment a
            join pg_class c on c.oid = a.target
            where a.series_id = v_old.id and c.oid <> all (p_locked_tables)
        ) then
            raise exception using
                errcode = '40001',
                message = format('a table was attached to series %L while it was being altered', p_name),
                hint = 'Run it again.';
        end if;
        if seqctl._format_needs_date(v_new.format) then
            select string_agg(a.target::regclass::text, ', ' order by a.id) into v_odd
            from seqctl.attachment a
            join pg_class c on c.oid = a.target
            where a.series_id = v_old.id and a.date_column is null;
            if v_odd is not null then
                raise exception using
                    errcode = 'SQ006',
                    message = format('format %L has a date, but %s is attached without a date_column', v_new.format, v_odd),
                    hint = 'Leave the date out of the format, or detach the table and attach it with its date_column.';
            end if;
        end if;

        perform seqctl._check_given(v_new);
        update seqctl.counter c set last_number = c.last_number where c.series_id = v_old.id;
        if 'format' = any (v_changed) then
            insert into seqctl.former_format (series_id, format)
            select v_old.id, v_old.format
            where exists (
                select from seqctl.counter c where c.series_id = v_old.id and c.last_number >= v_old.first_number
                union all
                select from seqctl.checkout k where k.series_id = v_old.id and k.state = 'open'
            )
            on conflict on constraint former_format_pkey do update set replaced_at = excluded.replaced_at, replaced_by = excluded.replaced_by;
        end if;
    end if;

    update seqctl.series s
    set
        format = v_new.format,
        reset = v_new.reset,
        fiscal_year_start = v_new.fiscal_year_start,
        time_zone = v_new.time_zone,
        first_number = v_new.first_number,
        max_number = v_new.max_number,
        max_length = v_new.max_length,
        external_code = v_new.external_code,
        purpose = v_new.purpose,
        on_checkout = v_new.on_checkout,
        ttl_action = v_new.ttl_action,
        chain = v_new.chain
    where s.id = v_old.id;
    if v_changed && '{format,reset,fiscal_year_start,time_zone,first_number,max_number,max_length,chain}' then
        perform seqctl._generate_attachment(a.id) from seqctl.attachment a where a.series_id = v_old.id order by a.id;
        if v_new.chain and not v_old.chain then
            -- The tables are locked. What was issued so far is recorded as it is now.
            perform seqctl._chain_attached(a.id)
            from seqctl.attachment a
            join pg_class c on c.oid = a.target
            where a.series_id = v_old.id
            order by a.id;
        end if;
    end if;
    return format(
        'series %s has %s now', p_name,
        concat_ws(
            ' and ',
            'another ' || nullif(array_to_string(array_remove(v_changed, 'chain'), ', '), ''),
            case when 'chain' = any (v_changed) then case when v_new.chain then 'a hash chain' else 'no hash chain' end end
        )
    );
end
$function$;

comment on function seqctl._alter_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, text[], boolean, oid[]) is
    'Checks and records other settings of a series, and writes the trigger functions of its attachments anew.';

revoke all on function seqctl._alter_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, text[], boolean, oid[]) from public;
