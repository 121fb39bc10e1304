// A Bob who loses sessions and spoils what he sends, and knows Signal's retry requests: he asks for what he can't read
// and sends again what somebody else could not. All of it by the official library.
import * as signal from "@signalapp/libsignal-client";
import { Bob } from "./bob.mjs";
import { CIPHERTEXT, PLAINTEXT, uuidText } from "./codec.mjs";

const sender = (envelope) => envelope.sourceServiceId ?? uuidText(envelope.sourceServiceIdBinary);

export class Forgetful extends Bob {
  asked = []; // what he was asked for: { from, device, timestamp }
  unread = 0; // what he could not read and asked for
  kept = new Map(); // what he spoilt, by timestamp

  forgetSessions() {
    this.stores.sessions.records.clear();
  }

  /** With another identity key, as somebody would who is not Bob. */
  startOver() {
    this.forgetSessions();
    this.devices.clear();
    this.stores.identities.pair = signal.IdentityKeyPair.generate();
  }

  async unreadable(envelope, error) {
    if (this.unread > 5) return super.unreadable(envelope, error);
    this.unread += 1;
    const account = sender(envelope);
    const { sourceDeviceId: device, clientTimestamp: timestamp } = envelope;
    const type = envelope.type === CIPHERTEXT ? signal.CiphertextMessageType.Whisper : signal.CiphertextMessageType.PreKey;
    const request = signal.DecryptionErrorMessage.forOriginal(envelope.content, type, timestamp, device);
    const content = signal.PlaintextContent.from(request).serialize();
    const registrationId = this.devices.get(account).get(device);
    return this.sendPartial(account, { deviceId: device, registrationId, type: PLAINTEXT, content }, timestamp);
  }

  /** A text to one device whose ciphertext has one wrong bit. */
  async sendSpoilt(account, device, text) {
    const timestamp = Date.now();
    const id = crypto.getRandomValues(new Uint8Array(16));
    const content = { dataMessage: { body: text, timestamp } };
    this.kept.set(timestamp, { content, id });
    const part = await this.sealFor(account, device, this.devices.get(account).get(device), content, id);
    part.content[part.content.length - 20] ^= 1;
    await this.sendPartial(account, part, timestamp);
  }

  async askedAgain(envelope) {
    const request = signal.DecryptionErrorMessage.extractFromSerializedBody(signal.PlaintextContent.deserialize(envelope.content).body());
    const account = sender(envelope);
    const device = envelope.sourceDeviceId;
    this.asked.push({ from: account, device, timestamp: request.timestamp() });
    if (request.deviceId() !== 1) throw new Error("asked for what another device has sent");
    const { content, id } = this.kept.get(request.timestamp());
    const address = signal.ProtocolAddress.new(account, device);
    const session = await this.stores.sessions.getSession(address);
    if (!session.currentRatchetKeyMatches(request.ratchetKey())) throw new Error("asked for another session's message");
    session.archiveCurrentState();
    await this.stores.sessions.saveSession(address, session);
    await this.fetchKeys(account, device);
    const part = await this.sealFor(account, device, this.devices.get(account).get(device), content, id);
    await this.sendPartial(account, part, request.timestamp());
  }
}
