update fee set rate = 5;
