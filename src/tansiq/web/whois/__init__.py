"""Who answers for this address? The public page and its JSON: the answers of ``tansiq members whois``."""
