"""Who may say it: certificates, pseudonyms, attacks, and checks that find them out."""
