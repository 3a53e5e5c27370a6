// The rest of the page, loaded behind the first paint: what a conversation with messages, files or a list needs.
import { Answer } from "./answer.js";
import { Dictate } from "./dictation.js";
import { FileChip } from "./file_chip.js";
import { addFiles, takeFiles } from "./files.js";
import { loadParser } from "./markdown_view.js";
import { Question } from "./question.js";
import { Queued, send } from "./queue.js";
import { Receipt } from "./receipt.js";
import { deleteSession, importSession, leaveGone, loadEarlier, reloadSession, showEnd } from "./session_actions.js";
import { namesOf, SessionRow } from "./session_row.js";
import { startStep } from "./step.js";
import { stop } from "./turns.js";

export { addFiles, Answer, deleteSession, Dictate, FileChip, importSession, leaveGone, loadEarlier, loadParser, namesOf, Question, Queued, Receipt, reloadSession, send, SessionRow, showEnd, startStep, stop, takeFiles };
