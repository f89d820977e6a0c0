#pragma once

#include <cstdint>
#include <vector>

#include "core/socket.h"
#include "engine/plan.h"
#include "engine/worker.h"
#include "io/source_ports.h"

namespace cnb {

// What the engines of TCP_CRR share.

// The clock (ns) at the steps of one transaction.
struct CrrTimes {
  uint64_t started = 0;    // before socket()
  uint64_t connected = 0;  // connect has succeeded
  uint64_t answered = 0;   // the response's last byte is here
  uint64_t closed = 0;     // after close()
};

SocketOptions crr_socket_options(const Plan& plan);
// Options, linger and source address of a socket that is about to connect. Throws SystemError.
void prepare_client_socket(int fd, const Plan& plan, const SocketOptions& options, SourcePorts& ports);
void record_transaction(Worker& worker, size_t flow, const CrrTimes& times);
// Counts a failed transaction and lets the run go on; false when the worker must end: it is stopping, or the process
// has run out of descriptors or memory, which is the generator's failure and not the network's.
bool count_failure(Worker& worker, size_t flow, bool connected, int err);
void count_served(Worker& worker);

// The server's door: the addresses that the client declared.
class AllowedPeers {
 public:
  explicit AllowedPeers(const Plan& plan);
  bool allows(const Address& peer) const;

 private:
  std::vector<Address> peers_;
};

}  // namespace cnb
