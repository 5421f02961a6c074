// Any bytes as a value of the store: "KEY\n" and then the value. What is read is written and read back alike.
#include <string_view>

#include "base/check.hpp"
#include "codec/records.hpp"

using namespace davit::codec;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  auto const end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  auto const record = decode_record(input.substr(0, end), input.substr(end + 1));
  if (!record) return 0;
  auto const bytes = encode_record(*record);
  auto const again = decode_record(input.substr(0, end), bytes);
  CHECK(again && encode_record(*again) == bytes, "{}", bytes);
  return 0;
}
