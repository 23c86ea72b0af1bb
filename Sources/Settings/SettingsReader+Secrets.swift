import Foundation
import Model

/// Values that are kept elsewhere: `{env: NAME}` or `{file: PATH}`.
extension SettingsReader {
    /// A password or token, without the line end that files and variables tend to have.
    ///
    /// A plain string works, with a warning; an empty secret is an error, since it would let anybody in.
    func secret(_ node: Node, _ name: String) -> Secret? {
        guard let (text, position) = kept(node, name, warnsOfPlain: true) else { return nil }
        let secret = text.hasSuffix("\r\n") || text.hasSuffix("\n") ? String(text.dropLast()) : text
        guard !secret.isEmpty else {
            report.error(position, "\(name) is empty")
            return nil
        }
        return Secret(secret)
    }

    /// A private key, byte for byte.
    func privateKey(_ node: Node, _ name: String) -> Secret? {
        guard let (text, position) = kept(node, name, warnsOfPlain: true) else { return nil }
        guard text.contains("PRIVATE KEY-----") else {
            report.error(position, "\(name) holds no private key, which begins with \"-----BEGIN … PRIVATE KEY-----\"")
            return nil
        }
        return Secret(text)
    }

    /// Text that is no secret, and may be kept elsewhere all the same.
    func text(orKept node: Node, _ name: String) -> String? {
        kept(node, name, warnsOfPlain: false)?.text
    }

    private func kept(_ node: Node, _ name: String, warnsOfPlain: Bool) -> (text: String, position: Position)? {
        guard case .mapping = node.content else {
            guard case .text = node.content, !node.isNull else {
                report.error(node.position, "\(name) must be {env: NAME} or {file: PATH}, not \(node.kind)")
                return nil
            }
            guard let text = text(node, name) else { return nil }
            if warnsOfPlain {
                report.warn(
                    node.position,
                    "\(name) can be read by whoever reads this file; {env: NAME} or {file: PATH} hides it")
            }
            return (text, node.position)
        }
        guard let fields = Fields(node, name, keys: ["env", "file"], report) else { return nil }
        switch (fields["env"], fields["file"]) {
        case (let variable?, nil): return fromEnvironment(variable, name).map { ($0, variable.position) }
        case (nil, let path?): return fromFile(path, name).map { ($0, path.position) }
        case (_?, _?): report.error(node.position, "\(name) must be either {env: NAME} or {file: PATH}, not both")
        case (nil, nil): fields.requireEither("env", "file", report)
        }
        return nil
    }

    private func fromEnvironment(_ node: Node, _ name: String) -> String? {
        guard let variable = text(node, "env") else { return nil }
        guard let value = environment[variable] else {
            report.error(node.position, "\(name) is not there: the environment has no variable \(variable.excerpt())")
            return nil
        }
        guard !value.isEmpty else {
            report.error(node.position, "\(name) is empty: the environment's variable \(variable.excerpt()) is")
            return nil
        }
        return value
    }

    private func fromFile(_ node: Node, _ name: String) -> String? {
        guard let written = text(node, "file") else { return nil }
        let text: String
        do throws(InvalidText) {
            let bytes = try TextFile.bytes(at: absolute(written), limit: 1 << 20)
            guard let decoded = String(validating: bytes, as: UTF8.self) else {
                throw InvalidText("it is not UTF-8 text")
            }
            text = decoded
        } catch {
            report.error(node.position, "\(name) can't be read from \(written.excerpt()): \(error)")
            return nil
        }
        guard !text.isEmpty else {
            report.error(node.position, "\(name) is empty: the file \(written.excerpt()) is")
            return nil
        }
        return text
    }
}
