"""Speed and memory beside verify-stream-v2, tcpflow and tshark: ``make bench``. No test has a time limit."""
