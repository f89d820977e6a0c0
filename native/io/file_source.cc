#include "io/file_source.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

#include "core/buffer.h"
#include "core/error.h"

namespace cnb {

FileSource::FileSource(size_t bytes, const std::vector<uint8_t>& content)
    : fd_(checked(memfd_create("cnb-load", MFD_CLOEXEC), "memfd_create")), size_(bytes) {
  const Buffer buffer(bytes, content);
  for (size_t written = 0; written < bytes;) {
    const ssize_t n = write(fd_.get(), buffer.data() + written, bytes - written);
    if (n < 0) throw_errno("write", "memfd");
    written += static_cast<size_t>(n);
  }
}

ssize_t FileSource::send(int socket) const {
  off_t offset = 0;
  return sendfile(socket, fd_.get(), &offset, size_);
}

}  // namespace cnb
