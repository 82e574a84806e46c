select 'rate', 1, '';
