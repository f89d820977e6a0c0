#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/fd.h"

namespace cnb {

// A file in memory as the source of sendfile(2): its pages go into the socket by reference.
class FileSource {
 public:
  // `content` as for a Buffer. Throws SystemError.
  FileSource(size_t bytes, const std::vector<uint8_t>& content);

  // sendfile(2)'s result for one pass from the beginning.
  ssize_t send(int socket) const;

 private:
  Fd fd_;
  size_t size_;
};

}  // namespace cnb
