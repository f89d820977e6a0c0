#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/socket.h"
#include "engine/worker.h"

namespace cnb {

// Whom a server listens to whose clients do not show themselves by a session's cookie: the hosts of its plan, or the
// first that comes.
class KnownPeers {
 public:
  explicit KnownPeers(const Plan& plan);
  bool admits(const Address& peer);

 private:
  std::vector<Address> peers_;
};

// Sends datagrams of equal size, as many per call as the plan says. Their first byte tells a receiver of our own
// whether they were sent within the sender's window: what is lost of those is known exactly, whenever the others come.
class DatagramSender {
 public:
  explicit DatagramSender(Worker& worker);

  size_t bytes_per_call() const { return train_bytes_ * messages_.size(); }
  // The bytes that went, or -1 with errno. What went is counted.
  ssize_t send(size_t flow, int flags);
  // Whether a send that failed with `err` is no reason to end: the socket or the kernel's memory was full.
  bool passes(size_t flow, int err);

 private:
  void mark(bool counts);
  ssize_t hand_over(int fd, int flags);

  Worker& worker_;
  const size_t size_;
  // Of what one message holds, which the kernel may cut into datagrams.
  const size_t train_bytes_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> messages_;
  bool marked_ = false;
};

// Receives datagrams, as many per call as the plan says.
class DatagramReceiver {
 public:
  explicit DatagramReceiver(Worker& worker);

  // What receive() came to.
  enum class Took { something, nothing, end, failure };
  // `end`: a foreign peer has sent its datagram of no bytes. `failure`: errno has it. What came is counted.
  Took receive(size_t flow, int flags);

 private:
  struct Control {
    alignas(cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(int))];
  };

  Took receive_one(size_t flow, int flags);
  Took receive_many(size_t flow, int flags);
  void prepare();
  Took take(size_t flow, size_t message);
  void count(size_t flow, const uint8_t* data, size_t size, size_t segment);

  Worker& worker_;
  const bool plain_;
  const size_t room_;
  KnownPeers peers_;
  std::vector<iovec> pieces_;
  std::vector<Address> from_;
  std::vector<Control> control_;
  std::vector<mmsghdr> messages_;
};

// Tells a foreign receiver by datagrams of no bytes that this side is done; any of them may get lost.
void end_by_datagrams(int fd);

}  // namespace cnb
