"""Who says what to whom, and when: state machines without clock or radio of their own."""
