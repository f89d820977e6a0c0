/** Help in our own words; options as netperf has them. */

const GLOBAL = `
Usage: netperf [global options] -- [test-specific options]

Global options (cnb-load's netperf: TCP_STREAM, TCP_MAERTS, TCP_SENDFILE, TCP_RR,
TCP_CRR, TCP_CC, TCP_MSS, UDP_STREAM, UDP_RR, OMNI, LOC_CPU, REM_CPU, UUID):
    -H host[,family]  server (localhost); a second value is the address family
    -p port[,local]   server's control port (12865), local control port
    -L addr[,family]  local address
    -t test           test to run (TCP_STREAM)
    -l length         seconds, or 1m30s; negative: bytes or transactions (10)
    -c, -C            measure CPU use of this host, of the server
    -D secs[,units]   interim results every so often
    -f G|M|K|g|m|k|x  unit of the result
    -i max[,min]      iterations; -I level[,width] confidence (95 or 99) and width in percent; -r result only
    -j                keep latency statistics
    -P 0|1            banner and headings off, on;  -v level  verbosity 0, 1, 2 (histogram)
    -B text           brand of the result
    -s secs           sleep before the test
    -T local[,remote] CPUs to run on
    -Y local[,remote] type of service;  -y local[,remote] priority;  -S keep-alive
    -b local[,remote] operations in each interval;  -w local[,remote] interval (1 ms; suffix u, m, s)
    -a, -A, -o, -O, -W  alignments, offsets, ring widths (told to the server)
    -F local,remote   fill files
    -N                no control connection: the data port is another service's
    -Z passphrase     sent to the server first
    -4, -6            address family;  -d  control messages to stderr;  -k, -K, -n  accepted
    -h  this;  -V  version
`;

const TEST = `
Usage: netperf [global options] -- [test-specific options]

Test-specific options:
    -r req[,resp]     sizes of requests and responses
    -b number         further requests in flight
    -m local[,remote] size of sends;  -M remote[,local]  size of receives
    -s send[,recv]    local socket buffers;  -S send[,recv]  the server's
    -D                TCP_NODELAY at both ends;  -G mss  TCP_MAXSEG;  -C  TCP_CORK here
    -K local[,remote] congestion control;  -q bytes  SO_MAX_PACING_RATE here
    -a                TCP_DEFER_ACCEPT at the server;  -f  never fragment;  -g  SO_DEBUG here
    -V                drop what is received without copying it
    -H host, -L host  ends of the data connection;  -4, -6  its family
    -P local[,remote] ports of the data connection;  -p min[,max]  client's ports of TCP_CRR and TCP_CC
    -k, -o, -O [sel]  key=value, CSV, columns; selectors, a file of them, or ? for the list
    -d direction, -c, -T tcp|udp, -t stream|dgram  OMNI: direction, connection test, protocol
    -e secs           UDP_RR: a request without an answer for so long is lost
    -l ttl            of multicasts;  -n, -N, -B  accepted
    -R 0|1            allow routing;  -u text  UUID;  -h  this
`;

export function usage(): string {
  return GLOBAL;
}

export function testUsage(): string {
  return TEST;
}
