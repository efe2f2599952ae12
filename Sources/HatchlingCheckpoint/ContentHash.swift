import CCrypto

/// SHA-256 by OpenSSL's libcrypto: what `sha256sum` prints, 64 hexadecimal digits.
package enum ContentHash {
  /// Cost: one pass over the bytes.
  package static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = EVP_Digest(bytes.baseAddress, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(done == 1 && length == 32, "libcrypto has no SHA-256")
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
