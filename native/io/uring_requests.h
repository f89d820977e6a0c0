#pragma once

// The requests that the loops make, as functions of their own: what each field of an entry means is said here once.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "core/socket.h"
#include "io/uring.h"

namespace cnb::uring {

// A descriptor, or a slot of the ring's own table.
struct Target {
  int number;
  bool slot;
};

inline void set_target(io_uring_sqe& entry, Target target) {
  entry.fd = target.number;
  if (target.slot) entry.flags |= IOSQE_FIXED_FILE;
}

// Where a request puts a new descriptor: the table's slots count from 1 here.
inline void set_new_slot(io_uring_sqe& entry, uint32_t slot) { entry.splice_fd_in = static_cast<int32_t>(slot + 1); }

// Completes once the descriptor is readable.
inline void poll_readable(io_uring_sqe& entry, int fd) {
  entry.opcode = IORING_OP_POLL_ADD;
  entry.fd = fd;
  entry.poll_events = 0x0001;  // POLLIN; the 16-bit field is right for either byte order
}

// Completes again and again, whenever something has arrived, into provided buffers.
inline void receive_multishot(io_uring_sqe& entry, Target from, uint32_t flags) {
  entry.opcode = IORING_OP_RECV;
  set_target(entry, from);
  entry.ioprio = kReceiveMultishot;
  entry.msg_flags = flags;
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = Ring::kBufferGroup;
}

inline void receive(io_uring_sqe& entry, Target from, void* data, size_t size, uint32_t flags) {
  entry.opcode = IORING_OP_RECV;
  set_target(entry, from);
  entry.addr = reinterpret_cast<uint64_t>(data);
  entry.len = static_cast<uint32_t>(size);
  entry.msg_flags = flags;
}

inline void send(io_uring_sqe& entry, Target to, const void* data, size_t size, uint32_t flags) {
  entry.opcode = IORING_OP_SEND;
  set_target(entry, to);
  entry.addr = reinterpret_cast<uint64_t>(data);
  entry.len = static_cast<uint32_t>(size);
  entry.msg_flags = flags | MSG_NOSIGNAL;
}

// Completes twice where the first completion says more(): what was sent, and that the kernel has let go of the memory,
// which is of the ring's registered buffer.
inline void send_zerocopy(io_uring_sqe& entry, Target to, const void* data, size_t size) {
  send(entry, to, data, size, 0);
  entry.opcode = kOpSendZc;
  entry.ioprio = kFixedBuffer | kReportUsage;
}

inline void make_socket(io_uring_sqe& entry, int family, uint32_t slot) {
  entry.opcode = kOpSocket;
  entry.fd = family;
  entry.off = SOCK_STREAM;
  entry.len = IPPROTO_TCP;
  set_new_slot(entry, slot);
}

inline void connect(io_uring_sqe& entry, Target socket, const Address& peer) {
  entry.opcode = IORING_OP_CONNECT;
  set_target(entry, socket);
  entry.addr = reinterpret_cast<uint64_t>(peer.raw());
  entry.off = peer.size();
}

inline void accept(io_uring_sqe& entry, int listener, Address& peer, socklen_t& size, uint32_t slot) {
  entry.opcode = IORING_OP_ACCEPT;
  entry.fd = listener;
  entry.addr = reinterpret_cast<uint64_t>(peer.raw());
  entry.off = reinterpret_cast<uint64_t>(&size);
  set_new_slot(entry, slot);
}

inline void close_slot(io_uring_sqe& entry, uint32_t slot) {
  entry.opcode = IORING_OP_CLOSE;
  set_new_slot(entry, slot);
}

// Cancels whatever is under way on a slot.
inline void cancel_slot(io_uring_sqe& entry, uint32_t slot) {
  entry.opcode = IORING_OP_ASYNC_CANCEL;
  entry.fd = static_cast<int32_t>(slot);
  entry.cancel_flags = kCancelFd | kCancelFdFixed | kCancelAll;
}

}  // namespace cnb::uring
