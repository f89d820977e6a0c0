#include "io/mapped_receive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "core/error.h"
#include "io/block.h"

namespace cnb {

namespace {

// tcp(7) and include/uapi/linux/tcp.h: Linux 4.18 and C libraries of its time have these, later fields are left out.
constexpr int kZerocopyReceive = 35;
struct Request {
  uint64_t address;
  uint32_t length;          // in: room, out: mapped
  uint32_t recv_skip_hint;  // out: bytes that come next and cannot be mapped
};

size_t whole_pages(size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

// Pages of the call before are dropped as these are mapped, where they are in the way: unmapping them by a call of its
// own (MADV_DONTNEED) would only be one call more.
int map_next(int fd, void* pages, size_t room, Request& request) {
  request = {reinterpret_cast<uintptr_t>(pages), static_cast<uint32_t>(room), 0};
  socklen_t size = sizeof request;
  return getsockopt(fd, IPPROTO_TCP, kZerocopyReceive, &request, &size);
}

// The kernel has it for the end of a stream; a receive tells that better.
constexpr int kNothingLeft = EIO;

}  // namespace

MappedReceive::MappedReceive(Worker& worker) : worker_(worker), size_(whole_pages(worker.plan().recv_size)) {
  const int fd = worker.flow_fd(0);
  pages_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
  if (pages_ == MAP_FAILED) throw_errno("mmap", "--rx zerocopy (TCP_ZEROCOPY_RECEIVE)");
  // Without room nothing is taken.
  Request request;
  if (map_next(fd, pages_, 0, request) == 0 || errno == kNothingLeft) return;
  const int err = errno;
  munmap(pages_, size_);
  throw SystemError("getsockopt", err, "--rx zerocopy (TCP_ZEROCOPY_RECEIVE)");
}

MappedReceive::~MappedReceive() { munmap(pages_, size_); }

ssize_t MappedReceive::receive(size_t flow) {
  size_t mapped = 0;
  const ssize_t n = take(worker_.flow_fd(flow), mapped);
  if (n <= 0) return n;
  Recorder& recorder = worker_.recorder();
  recorder.flows[flow].bytes_received.add(static_cast<uint64_t>(n));
  recorder.rx_zerocopy.mapped.add(mapped);
  recorder.rx_zerocopy.copied.add(static_cast<uint64_t>(n) - mapped);
  return n;
}

ssize_t MappedReceive::await(size_t flow) {
  pollfd waiting{worker_.flow_fd(flow), POLLIN, 0};
  for (;;) {
    const ssize_t n = receive(flow);
    if (n >= 0 || !would_block(errno)) return n;
    poll(&waiting, 1, -1);
  }
}

ssize_t MappedReceive::take(int fd, size_t& mapped) {
  Request request;
  call_ = "getsockopt";
  if (map_next(fd, pages_, size_, request) != 0) {
    if (errno != kNothingLeft) return -1;
    request.length = request.recv_skip_hint = 0;
  }
  mapped = request.length;
  const auto mapped_bytes = static_cast<ssize_t>(mapped);
  call_ = "recv";
  if (request.recv_skip_hint > 0) {
    Buffer& rest = worker_.recv_buffer();
    const ssize_t n = recv_some(fd, rest.data(), std::min<size_t>(request.recv_skip_hint, rest.size()), MSG_DONTWAIT);
    if (n > 0) return mapped_bytes + n;
    if (mapped == 0) return n;
  }
  if (mapped > 0) return mapped_bytes;
  // Nothing has come: the end, an error, or not yet. What has come by now is left to be mapped.
  uint8_t one;
  const ssize_t n = recv_some(fd, &one, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n <= 0) return n;
  errno = EAGAIN;
  return -1;
}

}  // namespace cnb
